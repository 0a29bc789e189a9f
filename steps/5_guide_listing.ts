// The guide's listing of Step 5, compared with the database by the wizard. It is not used to write anything.
export type Json = unknown

export type Database = {
  public: {
    Tables: {
      assistants: {
        Row: {
          id: string
          assistant_id: string
          domain_name: string
          expert_name: string
          clone_id: string
          vector_store_id: string | null
          status: string
          configuration: Json
          created_at: string | null
          updated_at: string | null
        }
        Insert: {
          id?: string
          assistant_id: string
          domain_name: string
          expert_name: string
          clone_id: string
          vector_store_id?: string | null
          status?: string
          configuration?: Json
          created_at?: string | null
          updated_at?: string | null
        }
        Update: {
          id?: string
          assistant_id?: string
          domain_name?: string
          expert_name?: string
          clone_id?: string
          vector_store_id?: string | null
          status?: string
          configuration?: Json
          created_at?: string | null
          updated_at?: string | null
        }
        Relationships: [
          {
            foreignKeyName: "assistants_clone_id_fkey"
            columns: ["clone_id"]
            isOneToOne: false
            referencedRelation: "clones"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "fk_assistant_domain"
            columns: ["domain_name"]
            isOneToOne: false
            referencedRelation: "domains"
            referencedColumns: ["domain_name"]
          },
          {
            foreignKeyName: "fk_assistant_vector_store"
            columns: ["vector_store_id"]
            isOneToOne: false
            referencedRelation: "vector_stores"
            referencedColumns: ["vector_id"]
          },
        ]
      }
      clone_rag_mapping: {
        Row: {
          id: string
          clone_id: string
          expert_name: string
          domain_name: string
          assistant_id: string | null
          vector_store_id: string | null
          rag_status: string
          last_processed_at: string | null
          error_message: string | null
          configuration: Json
          created_at: string | null
          updated_at: string | null
        }
        Insert: {
          id?: string
          clone_id: string
          expert_name: string
          domain_name: string
          assistant_id?: string | null
          vector_store_id?: string | null
          rag_status?: string
          last_processed_at?: string | null
          error_message?: string | null
          configuration?: Json
          created_at?: string | null
          updated_at?: string | null
        }
        Update: {
          id?: string
          clone_id?: string
          expert_name?: string
          domain_name?: string
          assistant_id?: string | null
          vector_store_id?: string | null
          rag_status?: string
          last_processed_at?: string | null
          error_message?: string | null
          configuration?: Json
          created_at?: string | null
          updated_at?: string | null
        }
        Relationships: [
          {
            foreignKeyName: "clone_rag_mapping_clone_id_fkey"
            columns: ["clone_id"]
            isOneToOne: true
            referencedRelation: "clones"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "fk_mapping_domain"
            columns: ["domain_name"]
            isOneToOne: false
            referencedRelation: "domains"
            referencedColumns: ["domain_name"]
          },
        ]
      }
      domains: {
        Row: {
          id: string
          domain_name: string
          expert_names: string[] | null
          created_at: string | null
          updated_at: string | null
        }
        Insert: {
          id?: string
          domain_name: string
          expert_names?: string[] | null
          created_at?: string | null
          updated_at?: string | null
        }
        Update: {
          id?: string
          domain_name?: string
          expert_names?: string[] | null
          created_at?: string | null
          updated_at?: string | null
        }
        Relationships: []
      }
      experts: {
        Row: {
          id: string
          name: string
          domain: string
          context: string
          clone_id: string | null
          created_at: string | null
          updated_at: string | null
        }
        Insert: {
          id?: string
          name: string
          domain: string
          context: string
          clone_id?: string | null
          created_at?: string | null
          updated_at?: string | null
        }
        Update: {
          id?: string
          name?: string
          domain?: string
          context?: string
          clone_id?: string | null
          created_at?: string | null
          updated_at?: string | null
        }
        Relationships: [
          {
            foreignKeyName: "experts_clone_id_fkey"
            columns: ["clone_id"]
            isOneToOne: false
            referencedRelation: "clones"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "fk_domain"
            columns: ["domain"]
            isOneToOne: false
            referencedRelation: "domains"
            referencedColumns: ["domain_name"]
          },
        ]
      }
      rag_documents: {
        Row: {
          id: string
          name: string
          document_link: string
          created_by: string | null
          domain: string
          included_in_default: boolean
          client_name: string | null
          openai_file_id: string | null
          clone_id: string | null
          processing_status: string
          content_preview: string | null
          file_size_bytes: number | null
          created_at: string | null
          updated_at: string | null
        }
        Insert: {
          id?: string
          name: string
          document_link: string
          created_by?: string | null
          domain: string
          included_in_default?: boolean
          client_name?: string | null
          openai_file_id?: string | null
          clone_id?: string | null
          processing_status?: string
          content_preview?: string | null
          file_size_bytes?: number | null
          created_at?: string | null
          updated_at?: string | null
        }
        Update: {
          id?: string
          name?: string
          document_link?: string
          created_by?: string | null
          domain?: string
          included_in_default?: boolean
          client_name?: string | null
          openai_file_id?: string | null
          clone_id?: string | null
          processing_status?: string
          content_preview?: string | null
          file_size_bytes?: number | null
          created_at?: string | null
          updated_at?: string | null
        }
        Relationships: [
          {
            foreignKeyName: "rag_documents_clone_id_fkey"
            columns: ["clone_id"]
            isOneToOne: false
            referencedRelation: "clones"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "fk_domain"
            columns: ["domain"]
            isOneToOne: false
            referencedRelation: "domains"
            referencedColumns: ["domain_name"]
          },
        ]
      }
      vector_stores: {
        Row: {
          id: string
          vector_id: string
          domain_name: string
          expert_name: string | null
          client_name: string | null
          clone_id: string | null
          file_ids: string[] | null
          status: string
          created_at: string | null
          updated_at: string | null
        }
        Insert: {
          id?: string
          vector_id: string
          domain_name: string
          expert_name?: string | null
          client_name?: string | null
          clone_id?: string | null
          file_ids?: string[] | null
          status?: string
          created_at?: string | null
          updated_at?: string | null
        }
        Update: {
          id?: string
          vector_id?: string
          domain_name?: string
          expert_name?: string | null
          client_name?: string | null
          clone_id?: string | null
          file_ids?: string[] | null
          status?: string
          created_at?: string | null
          updated_at?: string | null
        }
        Relationships: [
          {
            foreignKeyName: "vector_stores_clone_id_fkey"
            columns: ["clone_id"]
            isOneToOne: false
            referencedRelation: "clones"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "fk_vector_domain"
            columns: ["domain_name"]
            isOneToOne: false
            referencedRelation: "domains"
            referencedColumns: ["domain_name"]
          },
        ]
      }
      // Update existing clones table definition
      clones: {
        Row: {
          // ... existing fields ...
          rag_enabled: boolean | null
          rag_initialization_status: string | null
          rag_expert_name: string | null
          rag_domain_mapping: string | null
          rag_config: Json | null
        }
        Insert: {
          // ... existing fields ...
          rag_enabled?: boolean | null
          rag_initialization_status?: string | null
          rag_expert_name?: string | null
          rag_domain_mapping?: string | null
          rag_config?: Json | null
        }
        Update: {
          // ... existing fields ...
          rag_enabled?: boolean | null
          rag_initialization_status?: string | null
          rag_expert_name?: string | null
          rag_domain_mapping?: string | null
          rag_config?: Json | null
        }
        // ... existing relationships ...
      }

      // Update existing knowledge table definition
      knowledge: {
        Row: {
          // ... existing fields ...
          rag_processing_status: string | null
          rag_document_id: string | null
          openai_file_id: string | null
          rag_error_message: string | null
        }
        Insert: {
          // ... existing fields ...
          rag_processing_status?: string | null
          rag_document_id?: string | null
          openai_file_id?: string | null
          rag_error_message?: string | null
        }
        Update: {
          // ... existing fields ...
          rag_processing_status?: string | null
          rag_document_id?: string | null
          openai_file_id?: string | null
          rag_error_message?: string | null
        }
        // ... existing relationships ...
      }
    }
  }
}
